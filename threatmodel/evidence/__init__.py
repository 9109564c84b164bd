"""Files of infrastructure code and saved results of the probe, as statements about the elements of a model."""
