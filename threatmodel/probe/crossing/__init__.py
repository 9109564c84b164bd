"""Requests derived by rule: what is changed in a request, where, with each word that a handler's source names."""
