module millwright.dev/local/tools/coredns

go 1.26.0

// Resolves Service names for pods; runs on the host, bound to the bridge.
tool github.com/coredns/coredns

require github.com/coredns/coredns v1.12.4
