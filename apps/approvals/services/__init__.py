"""The verbs of approvals: send, decide, withdraw, send again; ask others; policies."""
