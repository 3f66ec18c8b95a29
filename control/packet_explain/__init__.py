"""Why a packet went where it went: it is led through an engine node by node, and each step is explained.

`journey` leads it, `explainers` knows who explains which node, `explanation` is what comes of it (text: `text`).
`fresh` makes an engine of a configuration for it, `live` asks a running one, in a copy of its process.
"""
