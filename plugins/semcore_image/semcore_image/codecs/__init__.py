"""Picture codecs of conventional transmission, and pictures coded by the transport."""
