"""Content digests: of files, of source code, and of the libraries that compute."""
