"""What the store holds of Kubernetes: a record for each object, as the reflector writes and agents read it.

The names of the fields are those of Contiv-VPP's reflected state. Fields that are not known here are ignored, so that
an older agent can read what a newer reflector wrote.
"""
