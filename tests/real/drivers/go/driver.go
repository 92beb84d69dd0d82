// What a client of the Go driver is answered, line by line, for a comparison of two servers:
// driver HOST:PORT VERSION COMPRESSION KEYSPACE VALUES. With TLS_AUTHORITY, TLS_CERTIFICATE and TLS_KEY it speaks TLS.
// One source for both versions of the driver: GOCQL stands for the import that they differ in.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	gocql "GOCQL"
)

var (
	address, keyspace string
	version           int
	how               gocql.Compressor
	values            [][]string
	session           *gocql.Session
)

func connect() *gocql.Session {
	host, port, _ := net.SplitHostPort(address)
	cluster := gocql.NewCluster(host)
	cluster.Port, _ = strconv.Atoi(port)
	cluster.ProtoVersion = version
	cluster.Compressor = how
	cluster.Timeout = 120 * time.Second
	cluster.ConnectTimeout = 120 * time.Second
	cluster.SerialConsistency = gocql.LocalSerial
	if authority := os.Getenv("TLS_AUTHORITY"); authority != "" {
		cluster.SslOpts = &gocql.SslOptions{CaPath: authority, CertPath: os.Getenv("TLS_CERTIFICATE"),
			KeyPath: os.Getenv("TLS_KEY"), EnableHostVerification: true}
	}
	made, err := cluster.CreateSession()
	check(err)
	return made
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func named(text string) string { return strings.ReplaceAll(text, "$", keyspace) }

func run(text string, args ...interface{}) { check(session.Query(named(text), args...).Exec()) }

func try(what string, do func() error) {
	defer func() {
		if gone := recover(); gone != nil {
			fmt.Println(what, "panics:", gone)
		}
	}()
	err := do()
	var told gocql.RequestError
	if errors.As(err, &told) {
		fmt.Printf("%s %x %s\n", what, told.Code(), told.Message())
	} else {
		fmt.Println(what, err)
	}
}

func rows(text string, args ...interface{}) {
	var lines []string
	found := session.Query(named(text), args...).Iter()
	for {
		row := map[string]interface{}{}
		if !found.MapScan(row) {
			break
		}
		lines = append(lines, fmt.Sprint(row))
	}
	sort.Strings(lines)
	fmt.Println(lines, found.Close())
}

func everyType() {
	run("CREATE TYPE $.point (x int, y double, labels frozen<set<text>>)")
	columns, names, texts := "", "", ""
	for at, one := range values {
		columns += fmt.Sprintf(", c%d %s", at, strings.ReplaceAll(one[0], "point", named("$.point")))
		names += fmt.Sprintf(", c%d", at)
		texts += ", " + one[1]
	}
	run("CREATE TABLE $.types (k int PRIMARY KEY" + columns + ")")
	run("INSERT INTO $.types (k" + names + ") VALUES (1" + texts + ")")
	for at, one := range values {
		name := fmt.Sprintf("c%d", at)
		try(one[0], func() error {
			row := map[string]interface{}{}
			if err := session.Query(named("SELECT "+name+" FROM $.types WHERE k = ?"), 1).MapScan(row); err != nil {
				return err
			}
			fmt.Printf("%s %T %v\n", one[0], row[name], row)
			var value interface{} = row[name]
			if value == nil { // a tuple, of which each part is there
				parts := []interface{}{}
				for n := 0; n < len(row); n++ {
					parts = append(parts, row[fmt.Sprintf("%s[%d]", name, n)])
				}
				value = parts
			}
			if err := session.Query(named("UPDATE $.types SET "+name+" = ? WHERE k = 2"), value).Exec(); err != nil {
				return err
			}
			if err := session.Query(named("UPDATE $.types SET "+name+" = ? WHERE k = 3"), nil).Exec(); err != nil {
				return err
			}
			return session.Query(named("UPDATE $.types SET "+name+" = ? WHERE k = 2"), gocql.UnsetValue).Exec()
		})
	}
	rows("SELECT JSON * FROM $.types")
	run("UPDATE $.types SET c0 = :text, c12 = :number WHERE k = :k", gocql.NamedValue("text", "named"),
		gocql.NamedValue("number", 7), gocql.NamedValue("k", 4))
	rows("SELECT k, c0, c12 FROM $.types WHERE k IN (?, ?)", 3, 4)
}

func pages() {
	run("CREATE TABLE $.pages (p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)")
	done := make(chan error, 1000)
	for k := 0; k < 1000; k++ {
		go func(k int) {
			done <- session.Query(named("INSERT INTO $.pages (p, c, v) VALUES (?, ?, ?)"), k%2, k, fmt.Sprint("row ", k)).Exec()
		}(k)
	}
	for k := 0; k < 1000; k++ {
		check(<-done)
	}
	for _, where := range []string{"", " WHERE p = 1", " WHERE p = 0 AND c > 100 AND c < 300 ORDER BY c ASC", " WHERE p IN (0, 1)"} {
		count, sum, c := 0, 0, 0
		found := session.Query(named("SELECT c FROM $.pages" + where)).PageSize(7).Iter()
		for found.Scan(&c) {
			sum += count * c
			count++
		}
		fmt.Println(where, count, sum, found.Close())
		var state []byte
		byHand := 0
		for {
			page := session.Query(named("SELECT c FROM $.pages" + where)).PageSize(7).PageState(state).Iter()
			state = page.PageState()
			byHand += page.NumRows()
			check(page.Close())
			if len(state) == 0 {
				break
			}
		}
		fmt.Println(byHand)
	}
}

func batches() {
	run("CREATE TABLE $.hits (k text PRIMARY KEY, n counter)")
	run("CREATE TABLE $.batches (p int, c int, s int STATIC, v text, PRIMARY KEY (p, c))")
	for p, kind := range []gocql.BatchType{gocql.LoggedBatch, gocql.UnloggedBatch} {
		batch := session.NewBatch(kind)
		batch.Query(named("INSERT INTO $.batches (p, c, v) VALUES (?, ?, ?)"), p, 1, "prepared")
		batch.Query(named("UPDATE $.batches SET s = 5 WHERE p = ?"), p)
		check(session.ExecuteBatch(batch))
	}
	batch := session.NewBatch(gocql.CounterBatch)
	batch.Query(named("UPDATE $.hits SET n = n + ? WHERE k = ?"), int64(4), "a")
	batch.Query(named("UPDATE $.hits SET n = n - 3 WHERE k = 'b'"))
	check(session.ExecuteBatch(batch))
	rows("SELECT * FROM $.batches")
	rows("SELECT * FROM $.hits")
	wrong := session.NewBatch(gocql.LoggedBatch)
	wrong.Query(named("UPDATE $.hits SET n = n + ? WHERE k = ?"), int64(4), "a")
	wrong.Query(named("UPDATE $.batches SET s = 5 WHERE p = ?"), 1)
	try("counters", func() error { return session.ExecuteBatch(wrong) })
}

func transactions() {
	run("CREATE TABLE $.locks (k int PRIMARY KEY, v text)")
	for _, text := range []string{"INSERT INTO $.locks (k, v) VALUES (1, 'a') IF NOT EXISTS",
		"INSERT INTO $.locks (k, v) VALUES (1, 'b') IF NOT EXISTS", "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'x'",
		"UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'a'", "DELETE FROM $.locks WHERE k = 2 IF EXISTS"} {
		row := map[string]interface{}{}
		applied, err := session.Query(named(text)).MapScanCAS(row)
		fmt.Println(applied, row, err)
	}
	batch := session.NewBatch(gocql.LoggedBatch)
	batch.Query(named("INSERT INTO $.locks (k, v) VALUES (?, ?) IF NOT EXISTS"), 1, "z")
	row := map[string]interface{}{}
	applied, _, err := session.MapExecuteBatchCAS(batch, row)
	fmt.Println(applied, row, err)
}

func changes() {
	run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)")
	const write, read = "INSERT INTO $.changing (k, v) VALUES (?, ?)", "SELECT * FROM $.changing WHERE k = ?"
	run(write, 1, "a")
	rows(read, 1)
	run("ALTER TABLE $.changing ADD a int")
	run(write, 2, "b")
	run("UPDATE $.changing SET a = 4 WHERE k = 2")
	rows(read, 2)
	run("DROP TABLE $.changing")
	try("dropped", func() error { return session.Query(named(read), 1).Exec() })
	run("CREATE TABLE $.changing (k int PRIMARY KEY, v text)")
	run(write, 3, "c")
	rows("SELECT * FROM $.changing")
}

func refusals() {
	for _, text := range []string{"SELEC", "SELECT * FROM $.absent", "CREATE TABLE $.types (k int PRIMARY KEY)",
		"SELECT * FROM $.pages WHERE v = 'x'", "SELECT nothing FROM $.pages", "INSERT INTO $.pages (p, c) VALUES ('x', 1)",
		"SELECT * FROM $.types WHERE k = ?"} {
		try(text, func() error { return session.Query(named(text)).Exec() })
	}
}

func metadata() {
	tables := []string{"batches", "changing", "hits", "locks", "pages", "types"}
	told, err := session.KeyspaceMetadata(keyspace)
	// The driver's second version reads it again some time after an event.
	for end := time.Now().Add(60 * time.Second); (err != nil || len(told.Tables) < len(tables)) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		told, err = session.KeyspaceMetadata(keyspace)
	}
	check(err)
	fmt.Println(told.Name, told.DurableWrites, told.StrategyClass, told.StrategyOptions, len(told.UserTypes))
	for _, name := range tables {
		table := told.Tables[name]
		for _, column := range table.OrderedColumns {
			one := table.Columns[column]
			fmt.Println(name, one.Name, one.Type, one.Kind, one.ComponentIndex, one.ClusteringOrder)
		}
	}
	for name, one := range told.UserTypes {
		fmt.Println(name, one.FieldNames, one.FieldTypes)
	}
}

func events() {
	other := connect()
	check(other.Query(named("CREATE TABLE $.seen (k int PRIMARY KEY)")).Exec())
	other.Close()
	there := false
	for end := time.Now().Add(60 * time.Second); !there && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if told, err := session.KeyspaceMetadata(keyspace); err == nil {
			_, there = told.Tables["seen"]
		}
	}
	fmt.Println("made:", there)
}

func main() {
	address, keyspace = os.Args[1], os.Args[4]
	version, _ = strconv.Atoi(os.Args[2])
	how = compressor(os.Args[3])
	text, err := os.ReadFile(os.Args[5])
	check(err)
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		values = append(values, strings.Split(line, "\t"))
	}
	session = connect()
	run("CREATE KEYSPACE $ WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
	for _, part := range []func(){everyType, pages, batches, transactions, changes, refusals, metadata, events} {
		part()
	}
	run("DROP KEYSPACE $")
	session.Close()
}
