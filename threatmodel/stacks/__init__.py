"""What is deployed, whatever language it was written in; knows no fact."""
