"""People who come from another desk: its exports become this desk's customers, talks, articles."""
