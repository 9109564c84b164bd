"""serverless.yml, read: the resources that the Serverless Framework would make of it."""
