"""Where pictures come from: folders, data sets, drawings."""
