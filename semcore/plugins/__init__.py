"""Components of installed packages: registry, interface checks, hooks, and the doctor."""
