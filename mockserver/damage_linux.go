package mockserver

import (
	"net"
	"syscall"
	"unsafe"
)

// unsent is how many bytes the other side's kernel has not confirmed yet. It is
// 0 where that cannot be told, and where the connection is lost.
func unsent(c net.Conn) int {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	var n int32
	_ = raw.Control(func(fd uintptr) {
		// What was in the queue of a connection that is lost stays counted.
		if e, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR); err != nil || e != 0 {
			return
		}
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n))); e != 0 {
			n = 0
		}
	})
	return int(n)
}
