"""MMSemCom: features of a picture and of its CLIP prompts select one of thousands of generated
pictures."""
