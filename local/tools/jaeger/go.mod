module millwright.dev/local/tools/jaeger

go 1.26.0

// The trace backend: OTLP in, query API out.
tool github.com/jaegertracing/jaeger/cmd/all-in-one

require github.com/jaegertracing/jaeger v1.62.0
