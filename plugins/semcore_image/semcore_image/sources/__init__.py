"""Sources of pictures: folders, data sets, synthetic drawings."""
