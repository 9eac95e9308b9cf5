"""How the shipped mini models are trained: `semcore train mini-clip data=... --out DIR`."""
