"""The store. The only package that knows motor, pymongo, bson and the embedded store's process."""
