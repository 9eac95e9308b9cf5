"""Hook plugins that record runs and trainings with MLflow, Weights & Biases, TensorBoard and
Trackio."""
