// What Go's crypto/x509 says of each chain in a folder: "name<TAB>ok" or "name<TAB>reason" a line.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func read(folder, name string) (*x509.Certificate, error) {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	return x509.ParseCertificate(block.Bytes)
}

func verify(folder, host string) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	root, err := read(folder, "root.pem")
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	roots.AddCert(root)
	intermediate, err := read(folder, "intermediate.pem")
	if err != nil {
		return fmt.Errorf("intermediate: %w", err)
	}
	intermediates.AddCert(intermediate)
	leaf, err := read(folder, "leaf.pem")
	if err != nil {
		return fmt.Errorf("leaf: %w", err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: host})
	return err
}

func main() {
	folders, _ := filepath.Glob(filepath.Join(os.Args[1], "*"))
	for _, folder := range folders {
		said := "ok"
		if err := verify(folder, os.Args[2]); err != nil {
			said = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Printf("%s\t%s\n", filepath.Base(folder), said)
	}
}
