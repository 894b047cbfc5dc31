package main

import (
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oigmock/oigmock/mockserver"
)

// The part of SARIF 2.1.0 that we write.
type (
	sarifLog struct {
		Version string     `json:"version"`
		Schema  string     `json:"$schema"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// rules says what each rule asks for.
var rules = map[string]string{
	"language": "A scenario file keeps to the scenario language.",
	"schema":   "A schema file can be read, and says something.",
	"example":  "An interaction has an example, and accepts it.",
	"contract": "Examples and responses keep to the contract.",
	"response": "A response can be made.",
	"shadowed": "An interaction can be reached.",
	"outside":  "An interaction answers an operation of the contract.",
	"release":  "A scenario holds in a release that is known, and served.",

	// Those of compare.
	"operation":       "An operation is there in both releases.",
	"request-member":  "What a request says is heard in both releases.",
	"response-member": "What an answer says is said in both releases.",
	"required":        "What must be there may have been there before.",
	"type":            "A value is of the same type in both releases.",
	"word":            "A word means the same in both releases.",
	"format":          "A date is written alike in both releases.",
	"status":          "An answer's status is documented in both releases.",
	"header":          "The same headers are asked for, and sent, in both releases.",
}

func writeSARIF(w io.Writer, found []mockserver.Finding) error {
	here, err := os.Getwd()
	if err != nil {
		here = ""
	}
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "oigmock", Version: version(), Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	told := map[string]bool{}
	for _, f := range found {
		if !told[f.Rule] {
			told[f.Rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{f.Rule, sarifText{rules[f.Rule]}})
		}
		level := map[mockserver.Level]string{mockserver.LevelFault: "error", mockserver.LevelWarning: "warning", mockserver.LevelNote: "note"}[f.Level]
		at := sarifPhysical{ArtifactLocation: sarifArtifact{relativeURI(here, f.Pos.Filename)}}
		if f.Pos.Line > 0 {
			at.Region = &sarifRegion{f.Pos.Line, f.Pos.Column}
		}
		run.Results = append(run.Results, sarifResult{f.Rule, level, sarifText{f.Text}, []sarifLocation{{at}}})
	}
	slices.SortFunc(run.Tool.Driver.Rules, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	return indented(w, sarifLog{
		Version: "2.1.0",
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Runs:    []sarifRun{run},
	})
}

// relativeURI is a file as seen from a folder. One on another volume keeps
// its whole path.
func relativeURI(here, file string) string {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(here, file); err == nil {
			file = rel
		} else {
			return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(file), "/")}).String()
		}
	}
	return (&url.URL{Path: filepath.ToSlash(file)}).String()
}
