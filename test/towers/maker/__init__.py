"""What make-towers.py is made of: tiny dual encoders with the interfaces of real ones."""
