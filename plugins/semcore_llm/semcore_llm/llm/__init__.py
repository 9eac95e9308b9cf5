"""Planners that ask a large language model: an endpoint of the network (`llm`), or a model in this process (`llm-local`)."""
