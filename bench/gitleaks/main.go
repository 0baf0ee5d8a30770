// Gitleaks is the gitleaks module as a program that measures its own time: neither its start nor reading files counts.
//
// It takes one argument, a file with paths of files, each ended by a NUL byte, and keeps their contents in memory. For each line on standard input it
// scans all of them once, with the rules that the module comes with, and prints one line of JSON: the nanoseconds it took, the bytes it scanned, and
// for each finding the index of its file, its rule and its secret.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
)

type finding struct {
	File   int    `json:"file"`
	Rule   string `json:"rule"`
	Secret string `json:"secret"`
}

type answer struct {
	Nanoseconds int64     `json:"nanoseconds"`
	Bytes       int       `json:"bytes"`
	Findings    []finding `json:"findings"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	if len(os.Args) != 2 {
		return errors.New("usage: gitleaks LIST")
	}
	zerolog.SetGlobalLevel(zerolog.Disabled)
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var fragments []detect.Fragment
	for path := range bytes.SplitSeq(bytes.TrimSuffix(list, []byte{0}), []byte{0}) {
		contents, err := os.ReadFile(string(path))
		if err != nil {
			return err
		}
		fragments = append(fragments, detect.Fragment{Raw: string(contents), FilePath: string(path)})
	}
	detector, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		return err
	}
	requests := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for requests.Scan() {
		scanned := answer{Findings: []finding{}}
		start := time.Now()
		for index, fragment := range fragments {
			for _, found := range detector.Detect(fragment) {
				scanned.Findings = append(scanned.Findings, finding{index, found.RuleID, found.Secret})
			}
			scanned.Bytes += len(fragment.Raw)
		}
		scanned.Nanoseconds = time.Since(start).Nanoseconds()
		if err := answers.Encode(scanned); err != nil {
			return err
		}
	}
	return requests.Err()
}
