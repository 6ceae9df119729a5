from lq_fda_runtime.cli import main

if __name__ == "__main__":
    main()
