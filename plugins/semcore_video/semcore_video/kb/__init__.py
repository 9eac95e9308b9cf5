"""Knowledge bases of reference pictures: update policies, and the command `semcore kb`."""
