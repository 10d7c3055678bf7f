"""Published encoders by their reference implementation."""
