module vigil/tools/definitions

go 1.26.0

require (
	k8s.io/autoscaler/vertical-pod-autoscaler v1.5.1
	sigs.k8s.io/gateway-api v1.6.3
)
