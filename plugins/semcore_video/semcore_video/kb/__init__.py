"""Knowledge bases of reference pictures: when a new picture is sent, and the command `semcore
kb`."""
