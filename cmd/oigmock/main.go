// Command oigmock stands in for the REST API of Oracle Identity Governance.
package main

func main() {}
