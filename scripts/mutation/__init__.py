"""Generated attacks on the reading of evidence: classes of weakening, applied by rule to every place that a proof has.

`weaker.yaml` says which property carries which control and what is weaker than a good value; `bases` are the systems
that are attacked; `templates`, `plans`, `serverless` and `words` apply the classes; `judging` says what came of it.
"""
