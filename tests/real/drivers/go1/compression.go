// The compressions of the driver's first version that need no other module.
package main

import "github.com/gocql/gocql"

func compressor(name string) gocql.Compressor {
	if name == "snappy" {
		return gocql.SnappyCompressor{}
	}
	return nil
}
