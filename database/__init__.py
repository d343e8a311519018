"""The only package that speaks to MongoDB: nothing outside it imports pymongo or bson."""
