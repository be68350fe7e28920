"""The served OpenAPI document, tried by schemathesis with the key of every role."""
