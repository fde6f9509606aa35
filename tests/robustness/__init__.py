"""Whatever is thrown at the package: answered, told, or refused in a sentence."""
