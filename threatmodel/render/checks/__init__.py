"""The result of a check in the forms that people, pipelines and code hosts read; a form a file.

A form has `head`, `model` (the text of one model's check) and `tail`: so one run writes many models in several forms
and holds one model at a time.
"""
