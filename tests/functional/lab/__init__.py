"""The black-box lab: private mail servers, the real binary, tools to watch and to break it."""
