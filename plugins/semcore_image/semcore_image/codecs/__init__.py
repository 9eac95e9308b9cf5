"""Picture codecs of conventional transmission, and pictures that the transport codes."""
