// Command cnn runs networks that were trained elsewhere, from ONNX files. Run it
// without arguments for help. It exits with
//
//	0    all is well
//	1    a result is not what was expected, or a device failed on the way
//	2    the command line or an input file cannot be understood, or a file, standard
//	     output included, cannot be read or written
//	3    the backend that was asked for is not there
//	4    the model is damaged, wrong or not supported
//	130  interrupted
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
