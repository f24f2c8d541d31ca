FROM python:3.13-slim
RUN pip install --no-cache-dir trustme
COPY examples/provider /provider
USER 65532
CMD ["python", "-u", "/provider", "--bind", "0.0.0.0", "--port", "8443", "--ca-file", "/tmp/ca.pem"]
