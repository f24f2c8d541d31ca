"""The CRDs and their OpenAPI schemas, generated from the kinds."""
