import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';

// OAuth comes back to the loopback address, and what is kept belongs to one origin.
if (location.hostname === 'localhost') {
  location.hostname = '127.0.0.1';
} else {
  const target = document.getElementById('app');
  if (target) mount(App, { target });
}
