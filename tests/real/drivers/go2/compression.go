// The compressions of the driver's second version.
package main

import (
	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"
)

func compressor(name string) gocql.Compressor {
	switch name {
	case "lz4":
		return lz4.LZ4Compressor{}
	case "snappy":
		return snappy.SnappyCompressor{}
	}
	return nil
}
