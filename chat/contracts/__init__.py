"""Everything that crosses a border, as pydantic models; camelCase lives in this package alone."""
