module millwright.dev/local/tools/kubeconform

go 1.26.0

// Checks the chart's manifests against the API's schemas.
tool github.com/yannh/kubeconform/cmd/kubeconform

require github.com/yannh/kubeconform v0.7.0
