// Verifies chains with Go's crypto/x509.
//
//	verify ROOT PURPOSE:NAME:FILE...
//
// The first certificate of each file has to be good for the purpose, and the name where there is one,
// to one who trusts ROOT alone. Prints a line each; exits with 1 at the first that is not.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

var purposes = map[string]x509.ExtKeyUsage{
	"server": x509.ExtKeyUsageServerAuth,
	"client": x509.ExtKeyUsageClientAuth,
	"email":  x509.ExtKeyUsageEmailProtection,
	"code":   x509.ExtKeyUsageCodeSigning,
}

func main() {
	roots := x509.NewCertPool()
	roots.AddCert(read(os.Args[1])[0])
	for _, asked := range os.Args[2:] {
		first, last := strings.Index(asked, ":"), strings.LastIndex(asked, ":")
		purpose, name, file := asked[:first], asked[first+1:last], asked[last+1:]
		chain := read(file)
		intermediates := x509.NewCertPool()
		for _, certificate := range chain[1:] {
			intermediates.AddCert(certificate)
		}
		_, err := chain[0].Verify(x509.VerifyOptions{
			DNSName: name, Roots: roots, Intermediates: intermediates,
			KeyUsages: []x509.ExtKeyUsage{purposes[purpose]},
		})
		if err != nil {
			fmt.Println(asked, err)
			os.Exit(1)
		}
		fmt.Println(asked, "good")
	}
}

func read(file string) (certificates []*x509.Certificate) {
	text, err := os.ReadFile(file)
	for err == nil {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return
		}
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			certificates = append(certificates, certificate)
		}
	}
	fmt.Println(file, err)
	os.Exit(2)
	return
}
