"""The scene world: drawings of counted, coloured and placed objects, with exact captions."""
