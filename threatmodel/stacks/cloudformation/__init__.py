"""Templates of CloudFormation and SAM, read."""
