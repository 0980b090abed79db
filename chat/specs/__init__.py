"""The specifications: OpenAPI and AsyncAPI, made from the models that validate."""
