module millwright.dev/local/tools/helm

go 1.26.0

// Installs the chart.
tool helm.sh/helm/v3/cmd/helm

require helm.sh/helm/v3 v3.22.0
