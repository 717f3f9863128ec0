import "./styles/app.css"; import { render } from "preact"; render(<h1>bspnode</h1>, document.getElementById("app")!);
