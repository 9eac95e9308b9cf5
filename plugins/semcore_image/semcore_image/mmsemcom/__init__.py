"""MMSemCom: features of a picture and of what CLIP says of it, sent to pick the best of thousands of generated pictures."""
