// Command cnnbench verifies and measures convolution kernels, runs folders of
// conformance cases, and says what a machine has. Run it without arguments for
// help. It exits with
//
//	0    all is well
//	1    a result is wrong, a kernel got slower than its baseline, or a device
//	     failed on the way
//	2    the command line or an input file cannot be understood, or a file, standard
//	     output included, cannot be read or written
//	3    a backend that was asked for is not there
//	130  interrupted
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
