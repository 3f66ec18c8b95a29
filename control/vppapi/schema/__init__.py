"""VPP's binary API as data: which messages and types there are, one module an API file of VPP.

Names, fields, types, defaults and CRCs are facts of the interface; nothing here runs. `parse` explains the notation,
`registry` reads all of it.
"""
