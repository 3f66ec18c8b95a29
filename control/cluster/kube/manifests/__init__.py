"""Manifests as kubectl reads them: files and folders of YAML or JSON, to checked objects."""
