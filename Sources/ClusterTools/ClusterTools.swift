// ClusterTools
