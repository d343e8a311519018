"""Access to MongoDB. No other package imports pymongo or bson."""
